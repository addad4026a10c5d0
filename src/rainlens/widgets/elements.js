// Elements of a page, made in one line.

const SVG = "http://www.w3.org/2000/svg";

/** A small element maker: h("p", {class: "a"}, "text"); SVG elements by a leading "svg:". */
function h(tag, attributes = {}, ...children) {
  const node = tag.startsWith("svg:")
    ? document.createElementNS(SVG, tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export { h };
