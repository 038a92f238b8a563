/* What only the pages of the builder need. */

import "./drag.js";
import "./together.js";
import "./keys.js";
import "./items.js";
import "./formula.js";
import "./jump.js";
import "./board.js";
import "./flow.js";
