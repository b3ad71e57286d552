/** Binary files as `data:` URLs: the sample image, and the wasm module of the package. */
declare module "*.tar?inline" {
  const url: string;
  export default url;
}
declare module "*.wasm?inline" {
  const url: string;
  export default url;
}
