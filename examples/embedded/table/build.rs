//! Tells the linker of a Cortex-M where the memories are.

fn main() {
    println!("cargo:rerun-if-env-changed=NETWORK");
    if std::env::var("TARGET").is_ok_and(|target| target.starts_with("thumb")) {
        println!("cargo:rustc-link-search={}/..", env!("CARGO_MANIFEST_DIR"));
        println!("cargo:rustc-link-arg-bin=nn-table=-Tlink.x");
        println!("cargo:rustc-link-arg-bin=nn-table=--nmagic");
        println!("cargo:rerun-if-changed=../memory.x");
    }
}
