/* Every behaviour of the interface; the heavy ones fetch their library when they are first needed. */

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
import "./columns.js";
import "./conditions.js";
import "./select-rows.js";
import "./sending.js";
import "./subform.js";
import "./picker.js";
import "./upload.js";
import "./live.js";
import "./draft.js";
import "./submit-once.js";
import "./sort.js";
import "./palette.js";
import "./chart.js";
import "./copy.js";
import "./small.js";
