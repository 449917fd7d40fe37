//! Tells cargo where libgenmod lies.
fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = std::env::var("GENMOD_LIB_DIR").unwrap_or(format!("{here}/../../build"));
    println!("cargo:rustc-link-search=native={folder}");
    println!("cargo:rerun-if-env-changed=GENMOD_LIB_DIR");
}
