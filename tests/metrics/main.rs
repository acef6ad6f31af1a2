//! Metrics against scikit-learn, whichever way the rows are cut and whatever the loss reads them as; what
//! does not fit is refused; how trainers use them.

mod against_sklearn;
mod links;
mod trainers;
