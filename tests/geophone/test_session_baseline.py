"""A session that is listened to learns first, and keeps what it learned for the next one."""

from __future__ import annotations

from pathlib import Path

from geophone.live.session import Listened, Session
from pcaps import sample
from policy.loader import loads
from sensors.capture import open_capture
from sensors.engine import decode
from store.baselines import stored_baseline
from store.client import open_store


def test_what_a_session_learned_is_kept_once_learning_is_over(tmp_path: Path) -> None:
    one = sample("modbus-setpoints-benign")
    section = "\nbaseline: {learn_for: PT2M, min_count: 1}\n"
    policy = loads(one.policy.read_text() + section, "pump-b.yaml")
    with open_store(str(tmp_path / "store")) as store:
        with Session(Listened("span0", 1), policy, store) as session:
            assert session.compared.startswith("Still learning")
            with decode(open_capture(one.capture)) as run:
                for batches in run:
                    session.feed(batches, one.frames)
            assert session.compared.startswith("Compared with baseline ")
            kinds = [finding.kind for finding in session.findings]
        kept = stored_baseline(store, "pump-b")
        assert kept is not None
        assert (kept.site, kept.policy_sha256, kept.min_count) == ("pump-b", policy.sha256, 1)
        # The output is switched on for the first time when learning is long over.
        assert "M1" in kinds
        # The next session does not learn again: it is compared with that from its first packet on.
        with Session(Listened("span0", 2), policy, store, baseline=kept) as again:
            assert kept.sha256[:12] in again.compared
