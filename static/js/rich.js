/* Formatted text: the editor is fetched when the first field for it is seen. Without it the textarea serves. */

import { whenever } from "./dom.js";

whenever("[data-rich]", async (rich) => (await import("./late/rich.js")).edit(rich));
