//! ocicle for JavaScript.
