//! Compiles the event definitions with a compiler written in Rust, so that no `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=events");
    let descriptors = protox::compile(["events/fenghuo.proto"], ["events"])?;
    prost_build::Config::new().compile_fds(descriptors)?;
    Ok(())
}
