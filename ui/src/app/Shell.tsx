import { useQuery, useQueryClient } from "@tanstack/react-query";
import {
  CircleHelp,
  CircleUserRound,
  FileCode,
  KeyRound,
  LogOut,
  Menu as MenuIcon,
  Monitor,
  Moon,
  RectangleEllipsis,
  ScrollText,
  Settings,
  Sun,
  Users,
  Vault,
} from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { ApiError, client, onForbidden, onSignedOut } from "../api/client";
import { events, useConnection } from "../api/live";
import { accountQuery, keys } from "../api/queries";
import { useMay } from "../api/role";
import type { Account } from "../api/types";
import { IconButton } from "../components/Button";
import { cx } from "../components/cx";
import { Menu } from "../components/Menu";
import { useOnce } from "../components/useOnce";
import { ApprovalsBadge } from "./ApprovalsBadge";
import { useArrival } from "./arrival";
import { ConnectionBar } from "./ConnectionBar";
import { useLiveRefresh } from "./liveRefresh";
import { Mark } from "./Mark";
import { PageSkeleton } from "./PageSkeleton";
import styles from "./Shell.module.css";
import { ShortcutSheet } from "./ShortcutSheet";
import { useShortcuts } from "./shortcuts";
import { chooseTheme, type Theme, useTheme } from "./theme";

// Needed only when a session ends, and then the server is there to give it.
const SignInAgain = lazy(async () => ({ default: (await import("./SignInAgain")).SignInAgain }));

const places = [
  { href: "/", label: "Overview", mine: (at: string) => at === "/" || at.startsWith("/workflows") },
  { href: "/executions", label: "Executions", mine: (at: string) => at.startsWith("/executions") },
  { href: "/designer", label: "Designer", mine: (at: string) => at.startsWith("/designer") },
  { href: "/triggers", label: "Triggers", mine: (at: string) => at.startsWith("/triggers") },
  { href: "/plugins", label: "Plugins", mine: (at: string) => at.startsWith("/plugins") },
];

/** The pages that the person can do something with. */
function usePlaces() {
  const editor = useMay("edit");
  return editor ? places : places.filter(({ href }) => href !== "/designer");
}

function Nav() {
  const [at] = useLocation();
  const places = usePlaces();
  return (
    <nav className={styles.nav} aria-label="Main">
      {places.map((place) => (
        <Link
          key={place.href}
          href={place.href}
          className={cx(styles.place, place.mine(at) && styles.here)}
          aria-current={place.mine(at) ? "page" : undefined}
        >
          {place.label}
        </Link>
      ))}
    </nav>
  );
}

function NarrowNav() {
  const [at, go] = useLocation();
  const places = usePlaces();
  return (
    <span className={styles.narrow}>
      <Menu
        align="start"
        trigger={<IconButton label="Pages" icon={<MenuIcon />} />}
        groups={[
          places.map((place) => ({
            id: place.href,
            label: place.mine(at) ? <strong>{place.label}</strong> : place.label,
            current: place.mine(at),
            onSelect: () => go(place.href),
          })),
        ]}
      />
    </span>
  );
}

const themes: { theme: Theme; label: string; icon: ReactNode }[] = [
  { theme: "light", label: "Light", icon: <Sun /> },
  { theme: "dark", label: "Dark", icon: <Moon /> },
  { theme: "system", label: "As the system", icon: <Monitor /> },
];

function ThemeMenu() {
  const theme = useTheme();
  return (
    <Menu
      trigger={
        <IconButton
          label={`Theme: ${themes.find((t) => t.theme === theme)?.label}`}
          icon={themes.find((t) => t.theme === theme)?.icon}
        />
      }
      groups={[
        themes.map((each) => ({
          id: each.theme,
          label: each.label,
          icon: each.icon,
          keys: each.theme === theme ? "✓" : undefined,
          onSelect: () => chooseTheme(each.theme),
        })),
      ]}
    />
  );
}

async function signOut(): Promise<void> {
  await client.POST("/api/vwmp/auth/logout/").catch(() => undefined);
  globalThis.location.assign("/vwmp/sign-in");
}

/** Who one is, and what is one's own; for administrators also what is everybody's. */
function AccountMenu({ account }: { account: Account }) {
  const { user, role, teams, has_password, signed_in_by } = account;
  const [, go] = useLocation();
  const admin = useMay("accounts");
  const to = (id: string, label: string, icon: ReactNode, path: string) => ({
    id,
    label,
    icon,
    onSelect: () => go(path),
  });
  return (
    <Menu
      trigger={<IconButton label={`${user}, ${role}`} icon={<CircleUserRound />} />}
      head={
        <>
          <span className={styles.user}>{user}</span>
          <span className={styles.role}>
            {role}
            {teams.length > 0 && `, in ${teams.join(", ")}`}
          </span>
        </>
      }
      groups={[
        [
          has_password && to("password", "Change password", <RectangleEllipsis />, "/settings/profile"),
          to("tokens", "API tokens", <KeyRound />, "/settings/tokens"),
          to("settings", "Settings", <Settings />, "/settings"),
        ],
        admin
          ? [
              to("accounts", "Accounts", <Users />, "/settings/accounts"),
              to("secrets", "Secrets", <Vault />, "/settings/secrets"),
              to("audit", "Audit trail", <ScrollText />, "/audit"),
            ]
          : [],
        [
          {
            id: "docs",
            label: "API documentation",
            icon: <FileCode />,
            onSelect: () => globalThis.location.assign("/docs"),
          },
        ],
        [
          signed_in_by === "cookie" && {
            id: "out",
            label: "Sign out",
            icon: <LogOut />,
            onSelect: () => void signOut(),
          },
        ],
      ]}
    />
  );
}

/** The first page of somebody who is signed out is the sign-in page, which brings them back here. */
function goToSignIn(): void {
  const here = globalThis.location.pathname + globalThis.location.search;
  globalThis.location.replace(`/vwmp/sign-in?next=${encodeURIComponent(here)}`);
}

/** What stands around every page: header, connection, sign-in, shortcuts. */
export function Shell({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const account = useQuery(accountQuery);
  const [sheet, setSheet] = useState(false);
  const [signedOut, setSignedOut] = useState(false);
  const [, go] = useLocation();
  const known = account.data !== undefined;
  const editor = useMay("edit");

  useEffect(() => onSignedOut(() => known && setSignedOut(true)), [known]);
  useEffect(
    () => onForbidden(() => void queries.invalidateQueries({ queryKey: keys.account, exact: true })),
    [queries],
  );
  const connection = useConnection();
  useEffect(() => {
    // The socket hears of it first where nothing is asked for.
    if (known && connection === "signed-out") setSignedOut(true);
  }, [known, connection]);
  useArrival();
  useEffect(() => {
    if (!known) return;
    const stop = events.start();
    const back = events.onReopen(() => void queries.invalidateQueries());
    return () => {
      back();
      stop();
    };
  }, [known, queries]);
  useLiveRefresh();
  useShortcuts([
    { keys: "?", label: "Show this sheet", group: "Everywhere", run: () => setSheet(true) },
    { keys: "O", label: "Go to the overview", group: "Everywhere", run: () => go("/") },
    { keys: "E", label: "Go to the executions", group: "Everywhere", run: () => go("/executions") },
    { keys: "N", label: "New workflow", group: "Everywhere", enabled: editor, run: () => go("/designer") },
  ]);

  const isSignedOut = account.error instanceof ApiError && account.error.status === 401;
  useEffect(() => {
    if (isSignedOut && !known) goToSignIn();
  }, [isSignedOut, known]);

  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#main">
        Skip to content
      </a>
      <header className={styles.bar}>
        <NarrowNav />
        <Link href="/" className={styles.brand} aria-label="VWMP, overview">
          <Mark />
          VWMP
        </Link>
        <Nav />
        <span className={styles.grow} />
        {account.data?.auth === "none" && (
          <span
            className={styles.open}
            title="Started with --auth none: everybody on this machine acts as the administrator"
          >
            No sign-in
          </span>
        )}
        {known && <ApprovalsBadge />}
        <ThemeMenu />
        <IconButton label="Keyboard shortcuts" hint="?" icon={<CircleHelp />} onClick={() => setSheet(true)} />
        {account.data && <AccountMenu account={account.data} />}
      </header>
      <ConnectionBar />
      <main id="main" className={styles.main} tabIndex={-1}>
        {account.isPending || (isSignedOut && !known) ? <PageSkeleton /> : children}
      </main>
      <ShortcutSheet open={sheet} onOpenChange={setSheet} />
      <Suspense>
        {useOnce(signedOut) && (
          <SignInAgain
            open={signedOut}
            user={account.data?.user ?? ""}
            onSignedIn={() => {
              setSignedOut(false);
              events.start();
              void queries.invalidateQueries();
            }}
          />
        )}
      </Suspense>
    </div>
  );
}
