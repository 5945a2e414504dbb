"""What a data set is and where it comes from: the card that every error, report and `data info` shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remote:
    """One file of a data set on its publisher's server.

    Parameters
    ----------
    url : str
        Where the publisher keeps it.
    filename : str
        Its name in the data set's folder, `/`-separated, relative.
    sha256 : str or None
        Checksum of the whole file; None where the publisher's file was never seen by us, and then the card says so.
    unpack : bool
        Whether it is an archive (zip or tar) that is unpacked into the data set's folder.
    """

    url: str
    filename: str
    sha256: str | None = None
    unpack: bool = False


@dataclass(frozen=True)
class Card:
    """A data set's card.

    Parameters
    ----------
    name : str
        The name `open_dataset` knows it by, and its folder under the data root.
    title, what, how_many, licence, citation, homepage : str
        One line each; `what` says what is seen and how it is labelled.
    layout : str
        The folders and file names the loader reads, as a small tree.
    how_to_get : str
        What a person does who has no copy: the download command, or where to ask for it.
    remotes : tuple of Remote
        The files `data download` fetches; empty where the publisher hands the data out by request only.
    """

    name: str
    title: str
    what: str
    how_many: str
    licence: str
    citation: str
    homepage: str
    layout: str
    how_to_get: str
    remotes: tuple[Remote, ...] = ()

    def text(self) -> str:
        """Return the card as plain text, one field a paragraph."""
        fields = [
            ("What", self.what),
            ("How many", self.how_many),
            ("Licence", self.licence),
            ("Citation", self.citation),
            ("Homepage", self.homepage),
            ("Layout", "\n" + self.layout.strip("\n")),
            ("How to get it", self.how_to_get),
        ]
        return "\n".join([f"{self.name}: {self.title}", *(f"  {key}: {value}" for key, value in fields)])
