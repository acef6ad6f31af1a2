//! What is said of an operating system where there is one: why it refused something, and the paths it has.

use std::format;
use std::path::Path;
use std::string::String;

use crate::quote::escaped;

/// Why the operating system refused something.
pub use std::io::ErrorKind;

/// A path in backquotes, whole.
pub(crate) fn quoted_path(path: &Path) -> String {
    format!("`{}`", escaped(&path.display().to_string()))
}
