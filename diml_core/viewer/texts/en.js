// Every text that the page shows, in English: a translation is one more file like this one. Python reads it, too
// (diml_core/viewer/texts), so the object is plain JSON. {name} is filled in where it is shown.
export default {
  "readout.hint.finger": "Tap a part of either photo to see where it goes, and again to let go. To select a region, rest your finger on the photo, then drag.",
  "readout.hint.mouse": "Point at a part of either photo to see where it goes. Click to keep it, drag to select a region, Escape to let go. Keyboard: Tab, arrows, Shift with arrows, Enter, Escape."
}
