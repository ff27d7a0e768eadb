//! Policy documents in one normal form.
