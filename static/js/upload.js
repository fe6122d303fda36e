// Sends a file with a progress bar. XMLHttpRequest, because fetch tells nothing of an upload's progress.
// A form with data-upload="reload" shows the page again afterwards; a media field's picker gets the new file chosen.

function send(url, token, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${url}?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", token);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status === 201) resolve(answer);
      else reject(new Error(answer.detail || `The upload failed (${request.status}).`));
    });
    request.addEventListener("error", () => reject(new Error("The connection broke. Try again.")));
    request.send(file);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

async function upload(box, url, token, file) {
  const bar = box.querySelector("progress");
  const note = box.querySelector("output");
  bar.hidden = false;
  note.dataset.kind = "";
  note.textContent = `Uploading ${file.name}…`;
  try {
    const made = await send(url, token, file, (share) => {
      bar.value = 100 * share;
      if (share === 1) note.textContent = "Checking the file…";
    });
    note.textContent = `${made.name} is uploaded.`;
    return made;
  } catch (error) {
    note.dataset.kind = "error";
    note.textContent = error.message;
    return null;
  } finally {
    bar.hidden = true;
  }
}

const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

for (const form of document.querySelectorAll("form[data-upload=reload]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const made = await upload(form, form.action, token(), form.elements.file.files[0]);
    button.disabled = false;
    if (made) location.reload();
  });
}

const ASKED = "input[type=file][data-upload-url]";

async function take(input) {
  if (!input.files.length) return;
  const made = await upload(input.closest(".upload"), input.dataset.uploadUrl, token(), input.files[0]);
  if (!made) return;
  for (const select of document.querySelectorAll("select[data-files]")) {
    select.add(new Option(made.name, made.id), select.options[1] ?? null);
  }
  const media = input.closest("[data-media]");
  media.querySelector("select[data-files]").value = made.id;
  media.querySelector("[data-address]").value = "";
  input.value = "";
}

// Delegated, because media fields are added to lists while the page is open.
document.addEventListener("change", (event) => {
  if (event.target.matches(ASKED)) take(event.target);
});
// Whoever was quick has chosen a file before this was loaded.
for (const input of document.querySelectorAll(ASKED)) take(input);

for (const box of document.querySelectorAll("[data-needs-script]")) box.hidden = false;
