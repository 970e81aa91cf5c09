namespace Curvature

open System.Collections.Generic
open Curvature.FSharp

/// The derivative of a model by its parameters, taken apart: all ways in which these enter it.
[<NoEquality; NoComparison>]
type internal ParameterUses =
    {
        /// The outputs of the model, [samples; …].
        Outputs: Tensor
        /// Tangents of the parameters to tangents of the outputs.
        Program: Program
        Uses: ParameterUse[]
        /// 1 + the places of parameters that enter in another way, or whose variables do not fall into samples.
        Others: Tensor[]
        /// Cotangents of the variables of the uses from cotangents of the outputs [k; samples; …].
        Pull: Tensor -> Tensor[]
    }

/// Nothing depends on θ but through uses, so that the program from the variables of the uses to the outputs needs no θ.
/// Its transpose pulls cotangents of the outputs back to all uses at once.
module internal ParameterUses =

    /// The program with the variables of uses as its inputs. Its other variables keep their order.
    let private fromUses (program: Program) (variables: int[]) (kept: Equation[]) : Program =
        let numbers = Array.create program.Variables.Length -1
        variables |> Array.iteri (fun number id -> numbers[id] <- number)
        let others = [| 0 .. numbers.Length - 1 |] |> Array.filter (fun id -> numbers[id] < 0)
        others |> Array.iteri (fun number id -> numbers[id] <- variables.Length + number)

        let atom atom =
            match atom with
            | Atom.Variable id -> Atom.Variable numbers[id]
            | constant -> constant

        {
            Device = program.Device
            Inputs = variables.Length
            Variables = Array.append variables others |> Array.map (fun id -> program.Variables[id])
            Equations =
                [|
                    for equation in kept ->
                        {
                            Primitive = equation.Primitive
                            Operands = equation.Operands |> Array.map atom
                            Results = equation.Results |> Array.map (fun id -> numbers[id])
                            Segment = equation.Segment
                        }
                |]
            Outputs = program.Outputs |> Array.map atom
        }

    let private pullOne (program: Program) (cotangent: Tensor) : Tensor[] =
        let zeros id = Tensor.OfStorage(Storage.Full(program.Device, program.Variables[id], 0.0))

        Reverse.transpose program [| ValueSome cotangent |]
        |> Array.mapi (fun id pulled -> pulled |> ValueOption.defaultWith (fun () -> zeros id))

    /// Nothing but the samples whose turn it is may reach the others: cotangents of a variable from those of every
    /// second sample of the outputs, of which the other samples must have none.
    let private fallsIntoSamples samples (axis: int) (cotangent: Tensor) =
        let length = cotangent.Signature.Shape[axis]

        if length % samples <> 0 then
            false
        else
            let share = length / samples
            let isOdd = Array.init length (fun i -> if i / share % 2 = 1 then 1.0 else 0.0)
            let shape = List.init cotangent.Rank (fun i -> if i = axis then length else 1)
            let mask = Tensor.ofArray shape isOdd |> Tensor.convert cotangent.DType |> Tensor.toDevice cotangent.Device
            (Tensor.sum (Tensor.abs (cotangent * mask))).ToScalar() = 0.0

    /// A cotangent of every second sample.
    let private everySecond (outputs: Tensor) : Tensor =
        let shape = outputs.Signature.Shape
        let samples = shape[0]
        let rows = Array.init samples (fun i -> if i % 2 = 0 then 1.0 else 0.0)
        let mask = Tensor.ofArray (samples :: List.replicate (shape.Length - 1) 1) rows
        let random = Tensor.normal (Key.OfSeed 0L) DType.Float64 (List.ofArray shape)
        mask * random |> Tensor.convert outputs.DType |> Tensor.toDevice outputs.Device

    /// The positions of a use in an order in which the samples come first; nothing where they have no axis.
    let private orderOf samples (axes: UseAxes) (cotangent: Tensor) : int list voption =
        match axes.Positions |> List.tryFind (fun axis -> fallsIntoSamples samples axis cotangent) with
        | Some first -> ValueSome(first :: List.filter ((<>) first) axes.Positions)
        | None when samples = 1 -> ValueSome axes.Positions
        | None -> ValueNone

    let private finish samples (c: UseCandidate) (ordered: int list) : ParameterUse =
        let kind = c.Finish ordered
        let axes = ordered @ c.Axes.Groups @ c.Axes.Outputs

        let shape =
            match kind with
            | UseKind.Elements(places, _) -> List.ofArray places.Signature.Shape
            | UseKind.Rows(places, _) -> [ samples; -1; 1; places.Signature.Shape[1] ]
            | UseKind.Weights weights ->
                let places = weights.Places.Signature.Shape
                [ samples; -1; places[0]; places[2] ]

        { Kind = kind; Order = UseCandidates.arrange 1 axes shape }

    /// Whether the places of weights or of a table are all there, and each once.
    let private areDistinct (c: UseCandidate) =
        match c.Equation with
        | ValueNone -> true
        | ValueSome _ ->
            let places = c.Places.ToArray()
            not (Array.contains 0.0 places) && (Array.distinct places).Length = places.Length

    /// The uses of parameters in a model θ ↦ outputs [samples; …] at θ. Costs a forward pass, and a backward one
    /// for which samples each variable belongs to.
    let find (name: string) (model: Tensor -> Tensor) (theta: Tensor) : ParameterUses =
        let values, program = Reverse.linearize (fun xs -> [| model xs[0] |]) [| theta |]
        // Uses are looked for within checkpoints too.
        let program = Recomputations.opened program
        let outputs = values[0]

        match program.Outputs[0], outputs.Signature.Shape with
        | Atom.Constant _, _ -> Fail.differentiation $"{name}: the model does not depend on the point that it was given"
        | _, [||] -> Fail.shape $"{name}: a model's outputs need a leading axis of samples, and these are a scalar"
        | _, shape when outputs.Size = 0 ->
            Fail.shape $"{name}: there are no outputs; their shape is {Shape.show shape}"
        | _ -> ()

        let samples = outputs.Signature.Shape[0]

        let rec settle (excluded: HashSet<int>) =
            let parts = ProgramWalk.walk samples program excluded
            let candidates = ProgramWalk.mergeBiases program parts |> List.toArray
            // The parts of a view are uses of one variable.
            let variables = candidates |> Array.map _.Variable |> Array.distinct
            let inner = fromUses program variables parts.Kept
            let numbers = candidates |> Array.map (fun c -> System.Array.IndexOf(variables, c.Variable))
            let pulled = pullOne inner (everySecond outputs)
            let seen = numbers |> Array.map (Array.get pulled)

            let ordered =
                Array.map2
                    (fun c cotangent -> if areDistinct c then orderOf samples c.Axes cotangent else ValueNone)
                    candidates
                    seen

            let isTable (c: UseCandidate) = c.Equation.IsSome && c.Places.Rank = 2

            let misplaced =
                Array.zip candidates ordered
                |> Array.choose (fun (c, order) -> if isTable c && order.IsNone then Some c.Equation.Value else None)

            if misplaced.Length = 0 then
                struct (candidates, ordered, numbers, inner)
            else
                excluded.UnionWith misplaced
                settle excluded

        let struct (candidates, ordered, numbers, inner) = settle (HashSet())
        let known = [| 0 .. candidates.Length - 1 |] |> Array.filter (fun i -> ordered[i].IsSome)

        {
            Outputs = outputs
            Program = program
            Uses = known |> Array.map (fun i -> finish samples candidates[i] ordered[i].Value)
            Others =
                [|
                    for i in 0 .. candidates.Length - 1 do
                        if ordered[i].IsNone then candidates[i].Places
                |]
            Pull =
                fun cotangents ->
                    let pulled = Batching.vmap (fun cs -> pullOne inner cs[0]) [| cotangents |]
                    known |> Array.map (fun i -> pulled[numbers[i]])
        }
