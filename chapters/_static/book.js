// The few repairs the theme's markup needs for readers who use a keyboard or a screen reader.
document.addEventListener("DOMContentLoaded", () => {
  // A box that scrolls must be reachable without a mouse.
  const boxes = document.querySelectorAll(".highlight pre, .cell_output, .bd-article table");
  for (const box of boxes) {
    if (box.scrollWidth > box.clientWidth && !box.hasAttribute("tabindex")) box.tabIndex = 0;
  }
  // The theme's side bar is a box like any other to a screen reader.
  const side = document.querySelector(".bd-sidebar-primary");
  if (side && side.tagName !== "DIALOG") {
    side.setAttribute("role", "navigation");
    side.setAttribute("aria-label", "The book");
  }
  // The theme names its search button by an icon alone.
  for (const button of document.querySelectorAll(".search-button, .search-button-field")) {
    if (!button.getAttribute("aria-label")) button.setAttribute("aria-label", "Search");
  }
});
