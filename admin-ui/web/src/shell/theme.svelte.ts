export type Theme = 'system' | 'light' | 'dark';

const root = document.documentElement;
let theme = $state<Theme>((root.dataset.theme as Theme | undefined) ?? 'system');

export function themeNow(): Theme {
  return theme;
}

/** Follows the system, or not. */
export function chooseTheme(next: Theme): void {
  theme = next;
  if (next === 'system') {
    delete root.dataset.theme;
    localStorage.removeItem('xylem.theme');
  } else {
    root.dataset.theme = next;
    localStorage.setItem('xylem.theme', next);
  }
  window.dispatchEvent(new Event('xylem-theme'));
}
