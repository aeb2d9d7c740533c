"""A pull request's comment that is made once and then kept up to date."""

from commands.pipeline.github import GitHub


def put_comment(github: GitHub, pull_request: int, text: str) -> None:
    """Write a comment, in place of the one that a bot wrote there before; the first line tells them apart.

    Args:
        github: the repository.
        pull_request: its number.
        text: the comment; its first line is the marker.
    """
    marker = text.partition("\n")[0]
    for comment in github.pages(f"issues/{pull_request}/comments"):
        if comment["user"]["type"] == "Bot" and (comment["body"] or "").splitlines()[:1] == [marker]:
            github.patch(f"issues/comments/{comment['id']}", body=text)
            return
    github.post(f"issues/{pull_request}/comments", body=text)
