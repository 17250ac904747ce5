//! What survives a crash: the rows of a database.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// Invoices, in the order in which they were made, and prices by product.
#[derive(Debug, Default)]
pub(crate) struct Database {
    invoices: Mutex<Vec<u64>>,
    prices: Mutex<BTreeMap<u64, u64>>,
    total: Mutex<u64>,
}

impl Database {
    /// Makes an invoice, whether there is one or not.
    pub(crate) fn add_invoice(&self, order: u64) {
        self.invoices.lock().unwrap().push(order);
    }

    /// Makes an invoice, unless there is one: the order is the primary key.
    pub(crate) fn add_invoice_once(&self, order: u64) {
        let mut invoices = self.invoices.lock().unwrap();
        if !invoices.contains(&order) {
            invoices.push(order);
        }
    }

    pub(crate) fn invoices(&self) -> Vec<u64> {
        let mut invoices = self.invoices.lock().unwrap().clone();
        invoices.sort_unstable();
        invoices
    }

    pub(crate) fn has_invoice(&self, order: u64) -> bool {
        self.invoices.lock().unwrap().contains(&order)
    }

    pub(crate) fn set_price(&self, product: u64, cents: u64) {
        self.prices.lock().unwrap().insert(product, cents);
    }

    pub(crate) fn price(&self, product: u64) -> Option<u64> {
        self.prices.lock().unwrap().get(&product).copied()
    }

    pub(crate) fn set_total(&self, orders: u64) {
        *self.total.lock().unwrap() = orders;
    }

    pub(crate) fn total(&self) -> u64 {
        *self.total.lock().unwrap()
    }
}
