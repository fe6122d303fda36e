// Starts the reference. Its library would load a logo from another site: ours stands there.
const script = document.currentScript;
const image = HTMLImageElement.prototype;
const { setAttribute } = image;
const src = Object.getOwnPropertyDescriptor(image, "src");
const ours = (url) => (String(url).startsWith("https://cdn.redoc.ly/") ? script.dataset.logo : url);

image.setAttribute = function (name, value) {
  setAttribute.call(this, name, name === "src" ? ours(value) : value);
};
Object.defineProperty(image, "src", {
  ...src,
  set(url) {
    src.set.call(this, ours(url));
  },
});

Redoc.init(script.dataset.spec, {}, document.getElementById("reference"));
