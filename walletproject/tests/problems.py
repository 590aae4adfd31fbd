"""What every problem must look like, whichever test it came up in."""


def assert_problem(response, status, code):
    """The RFC 9457 document, with nothing of our insides in it. Returns it."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"].endswith(f"/problems/{code}")
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["title"] and problem["detail"]
    assert problem["request_id"] == response["X-Request-ID"] != ""
    assert "secret" not in response.content.decode()
    assert "Traceback" not in response.content.decode()
    return problem
