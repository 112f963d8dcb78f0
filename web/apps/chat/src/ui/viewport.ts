/**
 * Keeps the page as high as what is visible above the keyboard of an iPhone or iPad, which covers the page instead of
 * making it smaller as others do. Returns what stops it.
 */
export function followKeyboard(root: HTMLElement): () => void {
  const visible = window.visualViewport;
  if (visible === null) return () => {};
  const follow = () => {
    // Somebody who zooms in wants to see less of the page, not a smaller page.
    const covered = visible.scale === 1 && visible.height < window.innerHeight;
    root.style.setProperty("--page-height", covered ? `${visible.height}px` : "100dvh");
    root.style.setProperty("--page-top", covered ? `${visible.offsetTop}px` : "0px");
  };
  visible.addEventListener("resize", follow);
  visible.addEventListener("scroll", follow);
  return () => {
    visible.removeEventListener("resize", follow);
    visible.removeEventListener("scroll", follow);
  };
}
