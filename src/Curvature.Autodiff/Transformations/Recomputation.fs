namespace Curvature

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.Runtime.CompilerServices

/// Arrays of values of which some are missing.
module private Masks =

    let present (values: 'T voption[]) = values |> Array.map _.IsSome

    let mask (flags: bool[]) = String.Join("", flags |> Array.map (fun flag -> if flag then "1" else "0"))

    let given (values: 'T voption[]) =
        values |> Array.choose (fun value -> if value.IsSome then Some value.Value else None)

    /// Values in the places of a mask, and nothing elsewhere.
    let scatter (flags: bool[]) (values: 'T[]) : 'T voption[] =
        let starts = flags |> Array.scan (fun count flag -> if flag then count + 1 else count) 0
        flags |> Array.mapi (fun i flag -> if flag then ValueSome values[starts[i]] else ValueNone)

    /// The first array where the mask is set, the second elsewhere.
    let merge (flags: bool[]) (chosen: 'T[]) (others: 'T[]) : 'T[] =
        Array.map2
            (fun (a: 'T voption) (b: 'T voption) -> if a.IsSome then a.Value else b.Value)
            (scatter flags chosen)
            (scatter (Array.map not flags) others)

    /// The operands of a mask, and the others.
    let divide (flags: bool[]) (values: 'T[]) : struct ('T[] * 'T[]) =
        let pick flag = Array.zip flags values |> Array.filter (fun (f, _) -> f = flag) |> Array.map snd
        struct (pick true, pick false)

/// A program as one primitive: transformations keep its operands, and none of its intermediate values (Griewank &
/// Walther 2000, "Revolve"). Its rules are programs of this kind too, which compute anew from the operands what they
/// need. So a backward pass holds the intermediate values of one checkpoint at a time. The flag says whether it is such
/// a rule.
[<Sealed>]
type internal Recomputation(program: Program, isRule: bool) =
    inherit Primitive("Checkpoint", null)

    /// The rules, by name and by which operands and results they are of, with the results that they have.
    let rules = ConcurrentDictionary<string, struct (Recomputation * bool[])>()

    /// What a function of operands gives, as a checkpoint of its own.
    let apply (name: string) (operands: Tensor[]) (f: Tensor[] -> Tensor voption[]) : Tensor voption[] =
        let make _ =
            // Equal operations count one by one in the first derivative, as they do where there is no checkpoint: it is
            // transposed, and sums would be rounded in another way. In later ones they are done once, or there would be
            // 3ⁿ of them.
            let stage = StageInterpreter(Interpreter.CurrentDepth + 1, program.Device, not isRule)
            let inputs = operands |> Array.map (fun operand -> stage.Fresh operand.Signature)
            let results = stage.Run(fun () -> f inputs)
            struct (Recomputation(stage.Finish(inputs.Length, Masks.given results), true), Masks.present results)

        let struct (rule, found) = rules.GetOrAdd(name, make)

        if Array.contains true found then
            Interpreter.Bind(rule, operands) |> Masks.scatter found
        else
            found |> Array.map (fun _ -> ValueNone)

    member _.Program = program

    override this.Equals other = obj.ReferenceEquals(this, other)

    override this.GetHashCode() = RuntimeHelpers.GetHashCode this

    override _.Infer operands =
        let inputs = program.Variables[.. program.Inputs - 1]

        if operands <> inputs then
            let show (signatures: Signature[]) = String.Join(", ", signatures |> Array.map _.Text)
            Fail.shape $"checkpoint: it was recorded for {show inputs}, and is applied to {show operands}"

        program.Outputs |> Array.map program.Signature

    override _.Evaluation =
        Composed(fun operands -> operands |> Array.map Tensor.OfStorage |> program.Interpret |> Array.map _.Storage)

    override _.Jvp(primals, _, tangents) =
        let moving = Masks.present tangents

        apply $"jvp {Masks.mask moving}" (Array.append primals (Masks.given tangents)) (fun inputs ->
            let points, along = Array.splitAt primals.Length inputs
            let struct (moved, still) = Masks.divide moving points
            snd (Forward.jvp (fun xs -> Masks.merge moving xs still |> program.Interpret) moved along))

    override _.Transpose(cotangents, operands) =
        let isUnknown =
            operands
            |> Array.map (fun operand ->
                match operand with
                | Unknown _ -> true
                | Known _ -> false)

        let known =
            operands
            |> Array.choose (fun operand ->
                match operand with
                | Known tensor -> Some tensor
                | Unknown _ -> None)

        let signatures = operands |> Array.map _.Signature
        let seeded = Masks.present cotangents

        if not (Array.contains true seeded) then
            operands |> Array.map (fun _ -> ValueNone)
        else
            let pulled =
                let name = $"transpose {Masks.mask isUnknown} {Masks.mask seeded}"

                apply name (Array.append known (Masks.given cotangents)) (fun inputs ->
                    let known, seeds = Array.splitAt known.Length inputs
                    let linear = StageInterpreter(Interpreter.CurrentDepth + 1, program.Device, true)
                    let struct (unknown, _) = Masks.divide isUnknown signatures
                    let unknowns = unknown |> Array.map linear.Fresh
                    let results = linear.Run(fun () -> Masks.merge isUnknown unknowns known |> program.Interpret)
                    Reverse.transpose (linear.Finish(unknowns.Length, results)) (Masks.scatter seeded seeds))

            let none = Array.create (operands.Length - pulled.Length) ValueNone
            Masks.merge isUnknown pulled none

    override _.Batch(size, operands, batched) =
        apply $"batch {size} {Masks.mask batched}" operands (fun inputs ->
            let struct (stacks, others) = Masks.divide batched inputs

            Batching.vmap (fun xs -> Masks.merge batched xs others |> program.Interpret) stacks |> Array.map ValueSome)
        |> Masks.given

    override _.QuadraticForm(cotangents, primals, _, tangents) =
        let seeded, moving = Masks.present cotangents, Masks.present tangents
        let operands = Array.concat [ primals; Masks.given cotangents; Masks.given tangents ]

        let form =
            apply $"form {Masks.mask seeded} {Masks.mask moving}" operands (fun inputs ->
                let points, rest = Array.splitAt primals.Length inputs
                let seeds, along = Array.splitAt (Masks.given cotangents).Length rest
                let cotangents, tangents = Masks.scatter seeded seeds, Masks.scatter moving along
                [| QuadraticForm.weighted program.Interpret points cotangents tangents |])

        form[0]

    interface ITaylorRule with
        member _.Series(primals, _, coefficients) =
            let order = Taylor.order coefficients
            let all = Array.concat coefficients
            let moving = Masks.present all

            apply $"jet {order} {Masks.mask moving}" (Array.append primals (Masks.given all)) (fun inputs ->
                let points, along = Array.splitAt primals.Length inputs
                let coefficients = Masks.scatter moving along |> Array.chunkBySize order
                snd (Jets.along order program.Interpret points coefficients) |> Array.concat)
            |> Array.chunkBySize order

    override _.ToString() = $"Checkpoint of {program.Equations.Length} operations"

module internal Recomputations =

    /// The program with the values of other transformations, which it captured, as inputs after its own.
    let private close (program: Program) : struct (Program * Tensor[]) =
        let captured = List<Tensor>()
        let places = Dictionary<obj, int>()

        let note atom =
            match atom with
            | Constant t when not (isNull t.Owner) ->
                if places.TryAdd(t.Content.Identity, captured.Count) then captured.Add t
            | _ -> ()

        for equation in program.Equations do
            Array.iter note equation.Operands

        Array.iter note program.Outputs
        let shifted id = if id < program.Inputs then id else id + captured.Count

        let atom atom =
            match atom with
            | Variable id -> Variable(shifted id)
            | Constant t when not (isNull t.Owner) -> Variable(program.Inputs + places[t.Content.Identity])
            | Constant _ -> atom

        let closed (equation: Equation) =
            { equation with
                Operands = equation.Operands |> Array.map atom
                Results = equation.Results |> Array.map shifted
            }

        let own, others = Array.splitAt program.Inputs program.Variables

        struct ({ program with
                    Inputs = program.Inputs + captured.Count
                    Variables = Array.concat [ own; captured.ToArray() |> Array.map _.Signature; others ]
                    Equations = program.Equations |> Array.map closed
                    Outputs = program.Outputs |> Array.map atom
                },
                captured.ToArray())

    /// f of tensors, of whose intermediate values none is kept for derivatives. Values that f captured from
    /// transformations around it are operands like the others.
    let private apply (f: Tensor[] -> Tensor[]) (xs: Tensor[]) : Tensor[] =
        let struct (program, captured) = Staging.stage xs[0].Device (xs |> Array.map _.Signature) f |> close

        Interpreter.Bind(Recomputation(program, false), Array.append xs captured)

    let single (f: Tensor -> Tensor) (x: Tensor) : Tensor = (apply (fun xs -> [| f xs[0] |]) [| x |])[0]

    let several (f: Tensor list -> Tensor list) (xs: Tensor list) : Tensor list =
        if xs.IsEmpty then Fail.shape "checkpoint: there are no tensors to compute from"
        apply (List.ofArray >> f >> List.toArray) (List.toArray xs) |> List.ofArray

    /// Applies a primitive, and each one within a checkpoint by itself.
    let rec private bindOpened (primitive: Primitive) (operands: Tensor[]) : Tensor[] =
        match primitive with
        | :? Recomputation as checkpoint -> checkpoint.Program.InterpretBy bindOpened operands
        | _ -> Interpreter.Bind(primitive, operands)

    /// A linear program with the primitives of its checkpoints in their places.
    let opened (program: Program) : Program =
        if program.Equations |> Array.exists (fun equation -> equation.Primitive :? Recomputation) then
            let linear = StageInterpreter(Interpreter.CurrentDepth + 1, program.Device, true)
            let inputs = program.Variables[.. program.Inputs - 1] |> Array.map linear.Fresh
            linear.Finish(inputs.Length, linear.Run(fun () -> program.InterpretBy bindOpened inputs))
        else
            program
