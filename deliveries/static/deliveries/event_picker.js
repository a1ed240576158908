/* Filters the boxes of an event picker as one types, and says how many are shown and ticked. */
"use strict";

for (const picker of document.querySelectorAll(".event-picker")) {
  const search = picker.querySelector("input[type=search]");
  const status = picker.querySelector("[role=status]");
  const options = [...picker.querySelectorAll(".option")];

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const option of options) {
      const text = option.textContent.toLowerCase();
      option.hidden = !words.every((word) => text.includes(word));
    }
    for (const family of picker.querySelectorAll("fieldset")) {
      family.hidden = !family.querySelector(".option:not([hidden])");
    }
    const shown = options.filter((option) => !option.hidden).length;
    const ticked = picker.querySelectorAll("input[type=checkbox]:checked").length;
    status.textContent = `${shown} of ${options.length} shown, ${ticked} ticked`;
  };

  search.addEventListener("input", show);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // it would save the form
  });
  picker.addEventListener("change", show);
  search.closest("[hidden]").hidden = false;
  show();
}
