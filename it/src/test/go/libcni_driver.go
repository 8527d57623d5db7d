// A runtime of the smallest kind: libcni, as Debian ships it, with its real cache, conversion and chaining.
//
// usage: libcni_driver VERB CONFLIST PLUGIN_DIR CACHE_DIR CONTAINER_ID NETNS IFNAME [KEY=VALUE...]
//
// VERB is add, check, del or validate. Prints what libcni answers as JSON; an error goes to stderr and ends with 1.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/containernetworking/cni/libcni"
)

func main() {
	if len(os.Args) < 8 {
		fail(fmt.Errorf("usage: libcni_driver VERB CONFLIST PLUGIN_DIR CACHE_DIR CONTAINER_ID NETNS IFNAME [KEY=VALUE...]"))
	}
	list, err := libcni.ConfListFromFile(os.Args[2])
	fail(err)
	cni := libcni.NewCNIConfigWithCacheDir([]string{os.Args[3]}, os.Args[4], nil)
	attachment := &libcni.RuntimeConf{ContainerID: os.Args[5], NetNS: os.Args[6], IfName: os.Args[7]}
	for _, argument := range os.Args[8:] {
		pair := strings.SplitN(argument, "=", 2)
		attachment.Args = append(attachment.Args, [2]string{pair[0], pair[1]})
	}
	limited, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	switch os.Args[1] {
	case "add":
		result, err := cni.AddNetworkList(limited, list, attachment)
		fail(err)
		fail(result.PrintTo(os.Stdout))
	case "check":
		fail(cni.CheckNetworkList(limited, list, attachment))
	case "del":
		fail(cni.DelNetworkList(limited, list, attachment))
	case "validate":
		capabilities, err := cni.ValidateNetworkList(limited, list)
		fail(err)
		fmt.Println(strings.Join(capabilities, " "))
	default:
		fail(fmt.Errorf("%s is none of add, check, del, validate", os.Args[1]))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
