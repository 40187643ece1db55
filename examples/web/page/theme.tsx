import { useEffect, useState, type ReactElement } from 'react';

const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const KEY = 'taskbridge.theme';
const labels: Readonly<Record<Theme, string>> = { auto: 'Auto', light: 'Light', dark: 'Dark' };

/** Light, dark, or as the system is. */
export function ThemeChoice(): ReactElement {
  const [theme, setTheme] = useState<Theme>(() => themes.find((one) => one === localStorage.getItem(KEY)) ?? 'auto');
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    localStorage.setItem(KEY, theme);
  }, [theme]);
  return (
    <label className="theme">
      <span className="visually-hidden">Colours</span>
      <select value={theme} onChange={({ target }) => setTheme(themes.find((one) => one === target.value) ?? 'auto')}>
        {themes.map((one) => (
          <option key={one} value={one}>
            {labels[one]}
          </option>
        ))}
      </select>
    </label>
  );
}
