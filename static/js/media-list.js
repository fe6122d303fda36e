// Lists of media: rows are added, removed and moved in place. Without this there is always a spare row,
// and empty rows are ignored.

const moves = {
  in(list) {
    const last = list.lastElementChild;
    const row = last.cloneNode(true);
    for (const input of row.querySelectorAll("input, select")) input.value = "";
    for (const note of row.querySelectorAll(".error")) note.remove();
    row.querySelector("output")?.replaceChildren();
    list.append(row);
    row.querySelector("select").focus();
  },
  out(list, row) {
    if (list.children.length > 1) row.remove();
  },
  up(list, row) {
    row.previousElementSibling?.before(row);
    row.querySelector("[data-move=up]").focus();
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move]");
  if (!button) return;
  const list = button.closest("[data-media-list]").querySelector("ol");
  moves[button.dataset.move](list, button.closest("li"));
});
