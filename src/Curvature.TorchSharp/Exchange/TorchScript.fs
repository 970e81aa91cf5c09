namespace Curvature.TorchSharp

open global.TorchSharp

/// What is called in torch by way of TorchScript, because TorchSharp has no call for it, or one whose errors end the
/// process. Errors of a script are exceptions.
module internal TorchScript =

    let private source =
        String.concat
            "\n"
            [
                "def pull(outputs: List[Tensor], cotangents: List[Tensor], leaves: List[Tensor], is_graph: bool):"
                "    given: List[Optional[Tensor]] = []"
                "    for cotangent in cotangents:"
                "        given.append(cotangent)"
                "    return torch.autograd.grad(outputs, leaves, given, True, is_graph, True)"
                ""
                "def assign(targets: List[Tensor], values: List[Tensor]):"
                "    for i in range(len(targets)):"
                "        targets[i].data.copy_(values[i])"
                ""
            ]

    let private script = lazy (torch.jit.compile source)

    let private invoke (name: string) (arguments: objnull[]) : objnull = script.Value.invoke (name, arguments)

    /// Σ ∂⟨cotangent, output⟩/∂leaf; null where no output depends on the leaf. The graph is kept, and where `isGraph`
    /// holds the results have one. The .grad of leaves stays as it is.
    let pull (isGraph: bool) (outputs: TorchTensor[]) (cotangents: TorchTensor[]) (leaves: TorchTensor[]) =
        match invoke "pull" [| box outputs; box cotangents; box leaves; box isGraph |] with
        | :? (TorchTensor[]) as found -> found |> Array.map (fun t -> (t: TorchTensor | null))
        | :? (objnull[]) as found ->
            found
            |> Array.map (fun t ->
                match t with
                | :? TorchTensor as t -> (t: TorchTensor | null)
                | _ -> null)
        | other -> raise (TorchException($"torch: a list of gradients was expected, and {other} came", null))

    /// Copies values into targets of the same shapes. Torch does not count it as a change, so that graphs which hold a
    /// target stay valid: for whoever puts the old values back.
    let assign (targets: TorchTensor[]) (values: TorchTensor[]) =
        invoke "assign" [| box targets; box values |] |> ignore
