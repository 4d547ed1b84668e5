// The endpoint on Go's net/http, standard library only. Refuses the whole request; keeps numbers in memory.
package main

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	endpoint = "/amlyze-ws-rest/batch-account-balances"
	maxBody  = 64 << 20
)

// Pointers tell a missing field from a zero one.
type accountBalance struct {
	CommunicationNumber *string      `json:"communicationNumber"`
	Requester           *string      `json:"requester"`
	AccountExtID        *string      `json:"accountExtId"`
	BalanceAt           *time.Time   `json:"balanceAt"`
	Value               *json.Number `json:"value"`
	EquivalentValue     *json.Number `json:"equivalentValue"`
	BalanceType         *string      `json:"balanceType"`
	BusinessUnit        *string      `json:"businessUnit"`
}

type batch struct {
	AccountBalances *[]*accountBalance `json:"accountBalances"`
}

type result struct {
	ResultType          string  `json:"resultType"`
	CommunicationNumber string  `json:"communicationNumber"`
	AccountExtID        string  `json:"accountExtId"`
	BusinessUnit        *string `json:"businessUnit,omitempty"`
	ErrorCode           string  `json:"errorCode,omitempty"`
	ErrorDescription    string  `json:"errorDescription,omitempty"`
	TimeElapsedMs       int64   `json:"timeElapsedMs"`
}

type answer struct {
	Results       []result `json:"results"`
	TimeElapsedMs int64    `json:"timeElapsedMs"`
}

type refusal struct {
	ResultType       string `json:"resultType"`
	ErrorCode        string `json:"errorCode"`
	ErrorDescription string `json:"errorDescription"`
}

func (a *accountBalance) validate() error {
	switch {
	case a == nil:
		return errors.New("an item must be an object")
	case a.CommunicationNumber == nil || *a.CommunicationNumber == "":
		return errors.New("communicationNumber is mandatory")
	case a.Requester == nil:
		return errors.New("requester is mandatory")
	case a.AccountExtID == nil:
		return errors.New("accountExtId is mandatory")
	case a.BalanceAt == nil:
		return errors.New("balanceAt is mandatory")
	case a.Value == nil:
		return errors.New("value is mandatory")
	case utf8.RuneCountInString(*a.CommunicationNumber) > 255:
		return errors.New("communicationNumber is longer than 255")
	case utf8.RuneCountInString(*a.Requester) > 100:
		return errors.New("requester is longer than 100")
	}
	return nil
}

func decode(body []byte) ([]*accountBalance, error) {
	// The decoder would replace what is not UTF-8, and two different numbers could become equal.
	if !utf8.Valid(body) {
		return nil, errors.New("the body is not UTF-8")
	}
	var request batch
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, err
	}
	if request.AccountBalances == nil {
		return nil, errors.New("accountBalances is mandatory")
	}
	for i, item := range *request.AccountBalances {
		if err := item.validate(); err != nil {
			return nil, fmt.Errorf("accountBalances[%d]: %w", i, err)
		}
	}
	return *request.AccountBalances, nil
}

type server struct {
	token string
	mutex sync.Mutex
	used  map[string]bool
}

func (s *server) register(item *accountBalance) result {
	began := time.Now()
	number := *item.CommunicationNumber
	s.mutex.Lock()
	taken := s.used[number]
	s.used[number] = true
	s.mutex.Unlock()
	r := result{
		ResultType:          "REQUEST_ACCEPTED",
		CommunicationNumber: number,
		AccountExtID:        *item.AccountExtID,
		BusinessUnit:        item.BusinessUnit,
	}
	if taken {
		r.ResultType = "REQUEST_REJECTED"
		r.ErrorCode = "O005"
		r.ErrorDescription = "CommunicationNumber already used in AMLYZE"
	}
	r.TimeElapsedMs = time.Since(began).Milliseconds()
	return r
}

func (s *server) authenticated(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") &&
		subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(s.token)) == 1
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}

func (s *server) importBalances(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	if !s.authenticated(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		write(w, http.StatusUnauthorized, map[string]any{"error": map[string]string{"code": "unauthorized"}})
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	var body bytes.Buffer
	if _, err := io.Copy(&body, http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		write(w, http.StatusBadRequest, refusal{"REQUEST_REJECTED", "O001", err.Error()})
		return
	}
	items, err := decode(body.Bytes())
	if err != nil {
		write(w, http.StatusBadRequest, refusal{"REQUEST_REJECTED", "O001", err.Error()})
		return
	}
	a := answer{Results: make([]result, 0, len(items))}
	for _, item := range items {
		a.Results = append(a.Results, s.register(item))
	}
	a.TimeElapsedMs = time.Since(began).Milliseconds()
	write(w, http.StatusOK, a)
}

func main() {
	s := &server{token: os.Getenv("BATCHPROOF_TOKEN"), used: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc(endpoint, s.importBalances)
	listener := &http.Server{
		Addr:              "127.0.0.1:" + os.Getenv("PORT"),
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       75 * time.Second,
	}
	log.Fatal(listener.ListenAndServe())
}
