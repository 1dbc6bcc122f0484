import { Monitor, Moon, Sun } from "lucide-react";
import type { ReactNode } from "react";
import { LetterSwitch, ShortcutGroups } from "../../app/ShortcutSheet";
import { chooseTheme, type Theme, useTheme } from "../../app/theme";
import { Card } from "../../components/Card";
import { About, SignedIn } from "./About";
import { SettingsFrame } from "./SettingsFrame";
import styles from "./SettingsPage.module.css";

const themes: { theme: Theme; label: string; icon: ReactNode }[] = [
  { theme: "system", label: "As the system", icon: <Monitor /> },
  { theme: "light", label: "Light", icon: <Sun /> },
  { theme: "dark", label: "Dark", icon: <Moon /> },
];

function ThemeChoice() {
  const chosen = useTheme();
  return (
    <fieldset className={styles.choices}>
      <legend>How the pages look in this browser</legend>
      {themes.map(({ theme, label, icon }) => (
        <label key={theme} className={styles.choice}>
          <input
            type="radio"
            name="theme"
            value={theme}
            checked={theme === chosen}
            onChange={() => chooseTheme(theme)}
          />
          {icon}
          {label}
        </label>
      ))}
    </fieldset>
  );
}

/** What a person sets for this browser, and what the server is. */
export default function SettingsPage() {
  return (
    <SettingsFrame title="Settings">
      <Card title="Theme" padded>
        <ThemeChoice />
      </Card>
      <Card title="Keyboard shortcuts" padded>
        <LetterSwitch />
        <ShortcutGroups />
        <p className={styles.hint}>Pages have further ones; press ? there to see them.</p>
      </Card>
      <Card title="You" padded>
        <SignedIn />
      </Card>
      <Card title="About" padded>
        <About />
      </Card>
    </SettingsFrame>
  );
}
