"use strict";

// Read by MathJax, which stands after this script on a page that has formulas: nothing is loaded lazily.
window.MathJax = {
  tex: { inlineMath: [["$", "$"], ["\\(", "\\)"]] },
  svg: { fontCache: "global", displayAlign: "left" },
  options: { enableMenu: false, ignoreHtmlClass: "page", processHtmlClass: "rendered_html|output_latex" },
  startup: {
    pageReady: () =>
      MathJax.startup.defaultPageReady().then(() => {
        fitFormulas();
        window.addEventListener("resize", fitFormulas);
        document.documentElement.dataset.math = "typeset";
      }),
  },
};

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// A formula wider than its column scrolls by itself instead of widening the page.
function fitFormulas() {
  for (const formula of all("mjx-container:not([display])")) {
    formula.classList.remove("wide");
    const column = formula.closest("p, li, td, th, dd, h2, h3, figcaption, div");
    formula.classList.toggle("wide", formula.getBoundingClientRect().width > column.clientWidth);
  }
}

function addThemeButton() {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const label = () => (button.textContent = dark() ? "Light" : "Dark");
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    label();
  });
  system.addEventListener("change", label);
  button.hidden = false;
  label();
}

function addCodeButton() {
  const button = document.getElementById("code");
  const cells = all("details.code");
  if (!button || !cells.length) return;
  const label = () => (button.textContent = cells.some((cell) => !cell.open) ? "Show all code" : "Hide all code");
  button.addEventListener("click", () => {
    const open = cells.some((cell) => !cell.open);
    for (const cell of cells) cell.open = open;
    label();
  });
  for (const cell of cells) cell.addEventListener("toggle", label);
  button.hidden = false;
  label();
}

function addCopyButtons() {
  for (const block of all("details.code .highlight")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      const code = block.querySelector("pre");
      try {
        await navigator.clipboard.writeText(code.textContent.trimEnd());
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.prepend(button);
  }
}

function addLightbox() {
  const box = document.getElementById("lightbox");
  if (!box) return;
  const place = document.getElementById("enlarged");
  for (const picture of all("main img")) {
    if (picture.closest("a")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "enlarge";
    button.title = "Enlarge";
    picture.replaceWith(button);
    button.append(picture);
    button.addEventListener("click", () => {
      const caption = picture.closest("figure")?.querySelector("figcaption");
      place.replaceChildren(picture.cloneNode(), ...(caption ? [caption.cloneNode(true)] : []));
      box.showModal();
    });
  }
  document.getElementById("close").addEventListener("click", () => box.close());
  box.addEventListener("click", (event) => event.target === box && box.close());
}

addThemeButton();
addCodeButton();
addCopyButtons();
addLightbox();
if (matchMedia("(max-width: 60rem)").matches) {
  for (const contents of all(".contents details")) contents.open = false;
}
