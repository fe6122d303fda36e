// Copies a field's text for whoever clicks; without the right to, selects it to be copied by hand.

async function copy(field, note) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    note.textContent = "Copied.";
  } catch {
    note.textContent = "Selected: copy it with your keyboard.";
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", () => copy(field, button.parentElement.querySelector("output")));
}
