//! The DNS records of one domain in Route 53.
