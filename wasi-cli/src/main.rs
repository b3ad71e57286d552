//! The `ocicle` command.

fn main() {}
