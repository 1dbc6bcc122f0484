import { Ban, CirclePlay, Ellipsis, MonitorSmartphone, RectangleEllipsis, Trash2, UserPen } from "lucide-react";
import type { User } from "../../../api/accounts";
import { Badge } from "../../../components/Badge";
import { IconButton } from "../../../components/Button";
import { Menu } from "../../../components/Menu";
import { Cell, RowActions } from "../../../components/Table";
import { Ago } from "../../../components/Time";
import { capital } from "../../../lib/text";
import forms from "../forms.module.css";

/** What is asked about an account. */
export type Asked = "edit" | "reset" | "sessions" | "disable" | "delete";

interface AccountRowProps {
  user: User;
  /** It is the person's own. */
  own: boolean;
  onAsk: (what: Asked) => void;
  /** Lets a disabled one in again. */
  onEnable: () => void;
}

function wayOf({ issuer, has_password }: User): string {
  if (issuer) return `By ${issuer}`;
  return has_password ? "By password" : "API tokens only";
}

export function Teams({ teams }: { teams: readonly string[] }) {
  if (teams.length === 0) return "–";
  return (
    <span className={forms.teams}>
      {teams.map((team) => (
        <span key={team} className={forms.team}>
          {team}
        </span>
      ))}
    </span>
  );
}

/** An account, and what can be done with it. */
export function AccountRow({ user, own, onAsk, onEnable }: AccountRowProps) {
  return (
    <tr>
      <Cell className={forms.name}>
        {user.name}
        {own && <span className={forms.hint}>You</span>}
      </Cell>
      <Cell label="Role">{capital(user.role)}</Cell>
      <Cell label="Teams">
        <Teams teams={user.teams} />
      </Cell>
      <Cell label="Signs in">{wayOf(user)}</Cell>
      <Cell label="State">
        <Badge tone={user.disabled ? "calm" : "good"}>{user.disabled ? "Disabled" : "Active"}</Badge>
      </Cell>
      <Cell label="Changed">
        <Ago time={user.updated_at} />
      </Cell>
      <Cell shrink>
        <RowActions>
          <Menu
            trigger={<IconButton label={`Actions for ${user.name}`} icon={<Ellipsis />} />}
            groups={[
              [
                { id: "edit", label: "Role and teams…", icon: <UserPen />, onSelect: () => onAsk("edit") },
                !user.issuer && {
                  id: "reset",
                  label: user.has_password ? "New password…" : "Give a password…",
                  icon: <RectangleEllipsis />,
                  onSelect: () => onAsk("reset"),
                },
                { id: "sessions", label: "Sessions…", icon: <MonitorSmartphone />, onSelect: () => onAsk("sessions") },
              ],
              [
                user.disabled
                  ? { id: "enable", label: "Enable", icon: <CirclePlay />, onSelect: onEnable }
                  : { id: "disable", label: "Disable…", icon: <Ban />, onSelect: () => onAsk("disable") },
                { id: "delete", label: "Delete…", icon: <Trash2 />, danger: true, onSelect: () => onAsk("delete") },
              ],
            ]}
          />
        </RowActions>
      </Cell>
    </tr>
  );
}
