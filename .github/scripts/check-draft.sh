#!/usr/bin/env bash
# Fails unless v$VERSION is a draft release whose target is exactly the commit that this workflow runs on.
set -euo pipefail

fail() {
  echo "::error::$1"
  exit 1
}

[[ "$VERSION" =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || fail "version: got '$VERSION', expected for example 1.2.3"
export GH_REPO="$GITHUB_REPOSITORY"
draft=$(gh release view "v$VERSION" --json isDraft --jq .isDraft) || fail "there is no release v$VERSION; write a draft first"
target=$(gh release view "v$VERSION" --json targetCommitish --jq .targetCommitish)
[[ "$draft" == true ]] || fail "v$VERSION is published already"
[[ "$target" == "$GITHUB_SHA" ]] ||
  fail "the draft v$VERSION targets '$target', this run is of $GITHUB_SHA; set the draft's target to the commit itself"
