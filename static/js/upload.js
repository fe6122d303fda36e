// Sends a file with a progress bar. XMLHttpRequest, because fetch tells nothing of an upload's progress.
// A form with data-upload="reload" shows the page again afterwards; a media field's picker gets the new file chosen,
// and its form waits for that before it is sent.

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
// The uploads of each form that are under way; each comes to whether it succeeded.
const underway = new Map();

function take(input) {
  if (!input.files.length) return;
  const form = input.form;
  const taken = receive(input);
  if (!underway.has(form)) underway.set(form, new Set());
  underway.get(form).add(taken);
  taken.finally(() => underway.get(form).delete(taken));
}

async function receive(input) {
  const made = await upload(input.closest(".upload"), input.dataset.uploadUrl, token(), input.files[0]);
  if (!made) return false;
  for (const select of document.querySelectorAll("select[data-files]")) {
    select.add(new Option(made.name, made.id), select.options[1] ?? null);
  }
  const media = input.closest("[data-media]");
  media.querySelector("select[data-files]").value = made.id;
  media.querySelector("[data-address]").value = "";
  input.value = "";
  return true;
}

// To leave the page would break its uploads off.
async function sendAfterUploads(form, button) {
  const said = button.textContent;
  button.disabled = true;
  button.textContent = "Waiting for the upload…";
  let allTaken = true;
  while (underway.get(form).size) {
    const taken = await Promise.all(underway.get(form));
    allTaken = allTaken && taken.every(Boolean);
  }
  button.disabled = false;
  button.textContent = said;
  if (allTaken) form.requestSubmit(button);
  else form.querySelector(".upload:has(output[data-kind=error]) input")?.focus();
}

document.addEventListener("submit", (event) => {
  if (!underway.get(event.target)?.size) return;
  event.preventDefault();
  sendAfterUploads(event.target, event.submitter);
});

// Delegated, because media fields are added to lists while the page is open.
document.addEventListener("change", (event) => {
  if (event.target.matches(ASKED)) take(event.target);
});
// Whoever was quick has chosen a file before this was loaded.
for (const input of document.querySelectorAll(ASKED)) take(input);

for (const box of document.querySelectorAll("[data-needs-script]")) box.hidden = false;
