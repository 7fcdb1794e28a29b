// Check one C2SP tlog-proof file with nothing of aphub: only the code that guards Go's own module downloads.
//
//	verify_proof VKEY STATEMENT PROOF
//
// Ends with status 0 and prints the record and the size of the log, or ends with 1 and says what is wrong.
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const header = "c2sp.org/tlog-proof@v1"

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: verify_proof VKEY STATEMENT PROOF")
		os.Exit(2)
	}
	index, size, err := verify(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Printf("accepted: record %d of a log of %d\n", index, size)
}

func verify(vkey, statementFile, proofFile string) (int64, int64, error) {
	statement, err := os.ReadFile(statementFile)
	if err != nil {
		return 0, 0, err
	}
	text, err := os.ReadFile(proofFile)
	if err != nil {
		return 0, 0, err
	}
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	if !found {
		return 0, 0, errors.New("the proof has no checkpoint")
	}
	index, proof, err := readHead(strings.Split(head, "\n"))
	if err != nil {
		return 0, 0, err
	}
	tree, err := readCheckpoint(vkey, checkpoint)
	if err != nil {
		return 0, 0, err
	}
	return index, tree.N, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(statement))
}

func readHead(lines []string) (int64, tlog.RecordProof, error) {
	if lines[0] != header {
		return 0, nil, errors.New("not a tlog-proof file")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return 0, nil, errors.New("the proof names no record")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return 0, nil, err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, err
		}
		proof = append(proof, hash)
	}
	return index, proof, nil
}

func readCheckpoint(vkey, checkpoint string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, errors.New("the checkpoint has no root")
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}
