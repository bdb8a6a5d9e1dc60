"""What the alerting service reads from ``TIENDO_…`` variables."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from services.infra.answer_links import AnswerSettings


class AlertSettings(AnswerSettings):
    """Where mail goes, how often is looked, how patiently is repeated. Seconds are real seconds."""

    alerts_port: int = Field(default=9102, description="Health and metrics.")
    alerts_interval: float = Field(default=2.0, gt=0, description="Seconds between two looks at what is to be judged.")
    alerts_marks_patience: float = Field(
        default=900.0, ge=0, description="Seconds after which judging no longer waits for outstanding recomputations."
    )
    alerts_settle: float = Field(
        default=15.0, ge=0, description="Seconds without a change of the days judged before anybody is warned."
    )
    alerts_templates: Path | None = Field(
        default=None, description="Folder of a deployment's own templates; one that is not there is ours."
    )
    alerts_retry_first: float = Field(default=5.0, gt=0, description="Seconds before a mail is tried again.")
    alerts_retry_longest: float = Field(default=300.0, gt=0, description="The wait doubles up to this.")

    board_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*[^\s?#/])?$",
        description="The board's address as people reach it, for links in mails; without it there are none.",
    )
    answer_days: int = Field(default=30, ge=1, le=366, description="Days for which a link to answer may be followed.")
    alerts_too_old: float = Field(
        default=3.0, gt=0, description="Days for which a notice is tried in vain before it is given up."
    )
    alerts_channels: Path | None = Field(
        default=None, description="File that describes channels beside mail; without it there are none."
    )

    alerts_smtp_host: str = "127.0.0.1"
    alerts_smtp_port: int = 1025
    alerts_smtp_tls: Literal["none", "starttls", "tls"] = Field(
        default="none", description="none, starttls (required, not merely offered), or tls from the first byte."
    )
    alerts_smtp_ca_file: str | None = None
    alerts_smtp_username: str | None = None
    alerts_smtp_password: SecretStr | None = None
    alerts_smtp_timeout: float = Field(default=20.0, gt=0)
    alerts_mail_from: str = Field(
        default="tien-do@localhost", pattern=r"^[^\s@]+@[^\s@]+$", description="Sender; its domain names the mails."
    )

    @model_validator(mode="after")
    def _together(self) -> Self:
        faults = []
        if self.alerts_smtp_username and self.alerts_smtp_password is None:
            faults.append("TIENDO_ALERTS_SMTP_USERNAME is set and TIENDO_ALERTS_SMTP_PASSWORD is not")
        if (
            self.alerts_smtp_username
            and self.alerts_smtp_tls == "none"
            and self.alerts_smtp_host not in ("127.0.0.1", "localhost", "::1")
        ):
            faults.append("a password over the network needs TIENDO_ALERTS_SMTP_TLS=starttls or tls")
        if self.alerts_retry_longest < self.alerts_retry_first:
            faults.append("TIENDO_ALERTS_RETRY_LONGEST is below TIENDO_ALERTS_RETRY_FIRST")
        if faults:
            raise ValueError("; ".join(faults))
        return self
