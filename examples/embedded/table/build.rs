//! Writes down which network the program has, and tells the linker of a board where the memories are.
//! `NETWORK` names it, `INT8` the file of its model in bytes, or is empty.

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-env-changed=NETWORK");
    println!("cargo:rerun-if-env-changed=INT8");
    println!("cargo:rustc-check-cfg=cfg(int8)");
    let [network, int8] = ["NETWORK", "INT8"].map(|name| env::var(name).unwrap_or_default());
    let mut chosen = format!("type Chosen = networks::{network};\n");
    if !int8.is_empty() {
        println!("cargo:rerun-if-changed={int8}");
        println!("cargo:rustc-cfg=int8");
        chosen += &format!("nn_runtime::int8_model! {{ struct Small: Chosen = \"{int8}\"; }}\n");
    }
    let folder = env::var("OUT_DIR").expect("cargo names it");
    fs::write(Path::new(&folder).join("chosen.rs"), chosen).expect("a folder that can be written");
    let script = match env::var("TARGET").unwrap_or_default() {
        target if target.starts_with("thumb") => "link.x",
        target if target.starts_with("riscv") => "riscv.x",
        _ => return,
    };
    println!("cargo:rustc-link-search={}/..", env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rustc-link-arg-bin=nn-table=-T{script}");
    println!("cargo:rustc-link-arg-bin=nn-table=--nmagic");
    println!("cargo:rerun-if-changed=../memory.x");
    println!("cargo:rerun-if-changed=../riscv.x");
}
