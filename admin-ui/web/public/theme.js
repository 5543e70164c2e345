// Before anything is painted, so that no page flashes in the other theme.
try {
  const theme = localStorage.getItem('xylem.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's choice holds.
}
