//! Topics, subscriptions, queues, send policies and attachments on a local cloud: what is declared exists, nothing is
//! left to do after, and what is somebody else's survives.

mod keys;
mod queues;
mod senders;
mod topics;
