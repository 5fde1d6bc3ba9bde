package cli

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"greenlight/cmd/greenlight/plan"
)

// apiDomain is the ErrorInfo domain of errors that the server's own code made.
const apiDomain = "greenlight"

// explain turns an error of a call into what a person can act on, with the
// exit code that belongs to it.
func (a *app) explain(err error) error {
	st, ok := status.FromError(err)
	if !ok {
		return err
	}
	if reason(st) != "" {
		return explainAnswer(st)
	}
	switch st.Code() {
	case codes.DeadlineExceeded:
		return &codedError{
			code: codeUnreachable,
			err:  fmt.Errorf("the server at %s did not answer within %s", a.server, a.timeout),
			hint: "it may have done what was asked: look with 'greenlight status'; --timeout changes the wait",
		}
	case codes.Canceled:
		return &codedError{code: codeFailed, err: errors.New("interrupted")}
	case codes.Unavailable:
		return &codedError{
			code: codeUnreachable,
			err:  fmt.Errorf("the server at %s can't be reached: %s", a.server, plain(st.Message())),
			hint: "start one with 'greenlight serve', or name it with --server or GREENLIGHT_SERVER",
		}
	case codes.Unimplemented:
		return &codedError{
			code: codeUnreachable,
			err:  fmt.Errorf("the server at %s is not (this version of) Greenlight's admin API", a.server),
			hint: "the admin API is on its own port, 18001 by default",
		}
	default:
		return &codedError{code: codeFailed, err: fmt.Errorf("the server at %s failed: %s", a.server, clean(st.Message()))}
	}
}

// explainAnswer is for errors that Greenlight's own code has made: their
// message says what, why and what to do.
func explainAnswer(st *status.Status) error {
	out := &codedError{code: codeFailed, err: errors.New(clean(st.Message())), reason: reason(st)}
	if st.Code() == codes.InvalidArgument || st.Code() == codes.NotFound {
		out.code = CodeUsage
	}
	return out
}

// reason is the ErrorInfo's reason; empty if Greenlight has not made the error.
func reason(st *status.Status) string {
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetDomain() == apiDomain {
			return info.GetReason()
		}
	}
	return ""
}

// plain keeps the last cause of a transport error: `connection error: desc =
// "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection
// refused"` becomes "connection refused".
func plain(message string) string {
	message = clean(strings.Trim(message, `"`))
	if strings.HasSuffix(message, "produced zero addresses") {
		return "its name has no address"
	}
	if i := strings.LastIndex(message, ": "); i >= 0 {
		message = message[i+2:]
	}
	return strings.TrimSuffix(message, `"`)
}

// clean makes a server's words safe for a terminal.
func clean(s string) string { return plan.Clean(s) }
