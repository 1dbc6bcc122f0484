import { plugin } from "./plugin.js";
import { serve } from "./vwmp/index.js";

serve(plugin);
