//! Cargo's build script: what is embedded of `cases/` is embedded anew when a file comes or goes.

fn main() {
    println!("cargo::rerun-if-changed=../../cases");
}
