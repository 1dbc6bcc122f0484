import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { accountKeys, endSession, type Session, sessionsQuery } from "../../api/accounts";
import { Button } from "../../components/Button";
import { ErrorNotice } from "../../components/ErrorNotice";
import { Skeleton } from "../../components/Skeleton";
import { Ago } from "../../components/Time";
import { browserName } from "../../lib/agent";
import { exactTime } from "../../lib/time";
import forms from "./forms.module.css";

function What({ session }: { session: Session }) {
  return (
    <div className={forms.what}>
      <span title={session.user_agent}>{browserName(session.user_agent)}</span>
      {session.current && <strong> (this one)</strong>}
      <span className={forms.hint}>
        From {session.address}, signed in <Ago time={session.created_at} />, until {exactTime(session.expires_at)}
      </span>
    </div>
  );
}

/** The browsers that one is signed in with, or another account; each can be signed out. */
export function Sessions({ user }: { user?: string }) {
  const queries = useQueryClient();
  const list = useQuery({ ...sessionsQuery(user), staleTime: 0 });
  const end = useMutation({
    mutationFn: async (ended: Session[]) => {
      for (const { id } of ended) await endSession(id);
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: accountKeys.sessions }),
  });
  if (list.error && !list.data) {
    return (
      <ErrorNotice
        error={list.error}
        doing="The sessions could not be loaded"
        onRetry={() => void list.refetch()}
        retrying={list.isFetching}
      />
    );
  }
  if (!list.data) return <Skeleton height={90} />;
  const newest = [...list.data].sort(
    (a, b) => Number(b.current) - Number(a.current) || b.created_at.localeCompare(a.created_at),
  );
  const others = newest.filter((session) => !session.current);
  return (
    <>
      {newest.length === 0 && <p>No browser is signed in.</p>}
      <ul className={forms.list} aria-label="Browsers that are signed in">
        {newest.map((session) => (
          <li key={session.id}>
            <What session={session} />
            {!session.current && (
              <Button
                size="small"
                icon={<LogOut />}
                aria-label={`Sign out ${browserName(session.user_agent)} from ${session.address}`}
                busy={end.isPending && end.variables.includes(session)}
                onClick={() => !end.isPending && end.mutate([session])}
              >
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 1 && (
        <Button size="small" busy={end.isPending} onClick={() => end.mutate(others)}>
          {user === undefined ? "Sign out all others" : "Sign out all"}
        </Button>
      )}
      {end.error && <ErrorNotice error={end.error} doing="The session could not be ended" />}
    </>
  );
}
