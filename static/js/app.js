/* Every behaviour of the interface. What few pages have is fetched when it is first on the page. */

import { whenever } from "./dom.js";
import "./requests.js";
import "./morph.js";
import "./toast.js";
import "./dialog.js";
import "./drawer.js";
import "./menu.js";
import "./theme.js";
import "./sidebar.js";
import "./tabs.js";
import "./position.js";
import "./sending.js";
import "./live.js";
import "./keys.js";
import "./submit-once.js";
import "./small.js";

const ON_SIGHT = {
  "address": "[data-address]",
  "barcode": "[data-barcode]",
  "camera": "[data-camera]",
  "cards": "[data-lists-shape]",
  "chart": "[data-chart]",
  "choose": "[data-choose]",
  "columns": "table.grid[data-columns], .column-list",
  "conditions": "[data-conditions]",
  "counts": "[data-count]",
  "copy": "[data-copy], [data-link-of]",
  "draft": "form[data-draft]",
  "gantt": "[data-gantt]",
  "lightbox": "a[data-lightbox]",
  "location": "[data-location]",
  "look": "#look",
  "picker": ".picker",
  "public/proof": "form[data-proof]",
  "quick": "[data-quick]",
  "rich": "[data-rich]",
  "select-rows": "[data-select-rows]",
  "signature": "[data-signature]",
  "sort": "[data-sortable]",
  "subform": "[data-rows]",
  "upload": ".upload",
  "watermark": "#watermark",
};

for (const [behaviour, selector] of Object.entries(ON_SIGHT)) whenever(selector, () => import(`./${behaviour}.js`));
