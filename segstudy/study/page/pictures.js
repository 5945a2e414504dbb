"use strict";

// Each article's tiles are the pictures that its stage can show on either side of the divider.
for (const article of document.querySelectorAll("article.own")) {
  const stage = article.querySelector(".stage");
  const tiles = [...article.querySelectorAll(".tiles img")];
  const layers = document.createElement("div");
  layers.className = "layers";
  const sides = document.createElement("div");
  sides.className = "sides";
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: 100, value: 50, ariaLabel: "Where the divider stands" });
  slider.addEventListener("input", () => stage.style.setProperty("--at", `${slider.value}%`));

  for (const [label, first, name] of [["left", 0, "under"], ["right", 1, "over"]]) {
    const image = document.createElement("img");
    image.className = name;
    const select = document.createElement("select");
    tiles.forEach((tile, index) => select.add(new Option(tile.dataset.title, index, index === first, index === first)));
    const show = () => Object.assign(image, { src: tiles[select.value].src, alt: tiles[select.value].alt });
    select.addEventListener("change", show);
    show();
    layers.append(image);
    const caption = document.createElement("label");
    caption.append(`${label} `, select);
    sides.append(caption);
  }
  const line = document.createElement("div");
  line.className = "line";
  layers.append(line);
  stage.append(layers, slider, sides);
  stage.hidden = false;
}
