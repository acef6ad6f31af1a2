//! The compile errors, word for word. They are those of one compiler: under any other this says that it was skipped.

/// The compiler whose words stand in `ui/`.
const PINNED: &str = "1.95.0";

#[test]
fn errors_read_as_they_should() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = std::process::Command::new(rustc).arg("--version").output().expect("rustc tells its version");
    let version = String::from_utf8_lossy(&version.stdout);
    if version.split(' ').nth(1) != Some(PINNED) {
        println!("skipped: the compile errors are checked under rustc {PINNED}, this is {version}");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
}
