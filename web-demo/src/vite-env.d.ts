/** Binary files, as data: URLs. The `.tar` is ours; the module is the package's. */
declare module "*.tar?inline" {
  const url: string;
  export default url;
}
declare module "*.wasm?inline" {
  const url: string;
  export default url;
}
