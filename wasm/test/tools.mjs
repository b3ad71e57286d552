/** Packages that tests need. The application has them, wherever npm put them. */

import { createRequire } from "node:module";

export const require = createRequire(new URL("../../web-demo/package.json", import.meta.url));
