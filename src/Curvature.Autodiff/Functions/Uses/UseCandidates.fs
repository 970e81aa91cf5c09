namespace Curvature

open Curvature.FSharp

/// Weights that multiply inputs at each position of each sample: y = Σᵢ aᵢ wᵢₒ, in each group.
[<NoEquality; NoComparison>]
type internal WeightUse =
    {
        /// [groups; inputs; outputs]: 1 + the places of the weights. A bias is the last row of the inputs.
        Places: Tensor
        /// a, [samples; positions; groups; inputs], with a column of ones for a bias.
        Inputs: unit -> Tensor
    }

/// How parameters enter a linear program.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal UseKind =
    | Weights of WeightUse
    /// Rows of a table: its places [rows; outputs], and the Int32 row at each position, [samples; positions].
    | Rows of places: Tensor * index: Tensor
    /// The elements themselves, each times a number: places and numbers [samples; elements].
    | Elements of places: Tensor * coefficient: Tensor

/// A use of parameters, and what brings cotangents of the variable that it makes, [k; …], into the order [k; samples;
/// positions; groups; outputs], or [k; samples; elements] for elements.
[<NoEquality; NoComparison>]
type internal ParameterUse = { Kind: UseKind; Order: Tensor -> Tensor }

/// The axes of a variable by what they count.
[<NoEquality; NoComparison>]
type internal UseAxes = { Positions: int list; Groups: int list; Outputs: int list }

/// A use before it is known which axis of its variable counts samples.
[<NoEquality; NoComparison>]
type internal UseCandidate =
    {
        Variable: int
        /// The equation, for a use that is not a view itself.
        Equation: int voption
        Axes: UseAxes
        Places: Tensor
        /// The use when the positions are in this order, the samples first.
        Finish: int list -> UseKind
    }

/// An equation of a program whose outputs have so many samples.
[<NoEquality; NoComparison>]
type internal UseSite =
    {
        Samples: int
        Program: Program
        Number: int
    }

    /// The variable that the equation makes first.
    member site.Variable = site.Program.Equations[site.Number].Results[0]

/// What may be a use of parameters, from equations that take views.
module internal UseCandidates =

    let private lengths (program: Program) id (axes: int list) =
        axes |> List.map (fun axis -> program.Variables[id].Shape[axis])

    let product = List.fold (*) 1

    /// t, with axes of its own in front, in the order of positions, groups and outputs.
    let arrange (leading: int) (axes: int list) (shape: int list) (t: Tensor) : Tensor =
        let order = [ 0 .. leading - 1 ] @ (axes |> List.map ((+) leading))
        let front = List.init leading (fun axis -> t.Signature.Shape[axis])
        t |> Tensor.permute order |> Tensor.reshape (front @ shape)

    // ---- weights

    let private axesOf (labels: int[]) (wanted: int list) =
        wanted |> List.map (fun label -> System.Array.IndexOf(labels, label))

    /// A contraction of a constant with a view, by the labels of the two and of the result.
    let ofContraction (site: UseSite) (ofA: int[], ofW: int[], ofResult: int[]) (a: Tensor) (view: ViewTerm) scale =
        let has (labels: int[]) label = Array.contains label labels
        let result = List.ofArray ofResult
        let positions = result |> List.filter (has ofW >> not)
        let groups = result |> List.filter (fun label -> has ofA label && has ofW label)
        let outputs = result |> List.filter (has ofA >> not)
        let inputs = List.ofArray ofA |> List.filter (has ofResult >> not)
        let variable = site.Variable
        let length label = a.Signature.Shape[System.Array.IndexOf(ofA, label)]
        let count labels = labels |> List.map length |> product

        let axes =
            {
                Positions = axesOf ofResult positions
                Groups = axesOf ofResult groups
                Outputs = axesOf ofResult outputs
            }

        let width = product (lengths site.Program variable axes.Outputs)

        let places =
            view.Places |> arrange 0 (axesOf ofW (groups @ inputs @ outputs)) [ count groups; count inputs; width ]

        let finish (ordered: int list) =
            let labels = ordered |> List.map (fun axis -> ofResult[axis])

            let rows () =
                let shape = [ site.Samples; count positions / site.Samples; count groups; count inputs ]
                let rows = arrange 0 (axesOf ofA (labels @ groups @ inputs)) shape a
                if scale = 1.0 then rows else scale * rows

            UseKind.Weights { Places = places; Inputs = rows }

        {
            Variable = variable
            Equation = ValueSome site.Number
            Axes = axes
            Places = places
            Finish = finish
        }

    /// Patches of images [N; H; W; C] under each element of a window: [N; H′; W′; groups; KH·KW·C/groups].
    let private patches (convolve: Convolve) (images: Tensor) : Tensor =
        let height, width = convolve.Height, convolve.Width
        let channels = images.Signature.Shape[3]

        let padded = images |> Tensor.pad 1 height.Before height.After |> Tensor.pad 2 width.Before width.After

        [
            for row in 0 .. height.Kernel - 1 do
                for column in 0 .. width.Kernel - 1 ->
                    padded
                    |> Tensor.sliceStep 1 (row * height.Dilation) height.Output height.Stride
                    |> Tensor.sliceStep 2 (column * width.Dilation) width.Output width.Stride
                    |> Tensor.reshape
                        [
                            images.Signature.Shape[0]
                            height.Output
                            width.Output
                            convolve.Groups
                            channels / convolve.Groups
                        ]
        ]
        |> Tensor.stack 4
        |> fun t -> Tensor.reshape [ t.Shape[0]; t.Shape[1]; t.Shape[2]; t.Shape[3]; t.Shape[4] * t.Shape[5] ] t

    /// A convolution of constant images with a view as filters [KH; KW; C / groups; K].
    let ofConvolution (site: UseSite) (convolve: Convolve) (images: Tensor) (view: ViewTerm) scale =
        let filters = view.Places.Signature.Shape
        let groups, inputs = convolve.Groups, filters[0] * filters[1] * filters[2]

        let places = view.Places |> Tensor.reshape [ inputs; groups; filters[3] / groups ] |> Tensor.permute [ 1; 0; 2 ]

        let finish (ordered: int list) =
            let rows () =
                let rows =
                    patches convolve images |> arrange 0 (ordered @ [ 3; 4 ]) [ site.Samples; -1; groups; inputs ]

                if scale = 1.0 then rows else scale * rows

            UseKind.Weights { Places = places; Inputs = rows }

        {
            Variable = site.Variable
            Equation = ValueSome site.Number
            // The filters of all groups lie one behind the other in one axis.
            Axes = { Positions = [ 0; 1; 2 ]; Groups = []; Outputs = [ 3 ] }
            Places = places
            Finish = finish
        }

    // ---- tables and elements

    /// Rows of a view by an index that is constant.
    let ofGather (site: UseSite) (index: Tensor) (view: ViewTerm) =
        let table = view.Places.Signature.Shape
        let rank = index.Rank
        let places = Tensor.reshape [ table[0]; -1 ] view.Places
        let variable = site.Variable

        {
            Variable = variable
            Equation = ValueSome site.Number
            Axes =
                {
                    Positions = [ 0 .. rank - 1 ]
                    Groups = []
                    Outputs = [ rank .. site.Program.Variables[variable].Shape.Length - 1 ]
                }
            Places = places
            Finish =
                fun ordered -> UseKind.Rows(places, arrange 0 ordered [ site.Samples; index.Size / site.Samples ] index)
        }

    /// The view itself.
    let ofElements samples (program: Program) id (view: ViewTerm) =
        let rank = view.Places.Rank

        {
            Variable = id
            Equation = ValueNone
            Axes = { Positions = [ 0 .. rank - 1 ]; Groups = []; Outputs = [] }
            Places = view.Places
            Finish =
                fun ordered ->
                    let arrange = arrange 0 ordered [ samples; view.Places.Size / samples ]
                    UseKind.Elements(arrange view.Places, arrange (ParameterViews.coefficient program id view))
        }
